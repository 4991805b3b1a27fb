<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign codes = recoveryAuthnCodesConfigBean>
<@layout.registrationLayout; section>
<#if section = "header">${msg("recovery-code-config-header")}
<#elseif section = "form">
<p class="lead">${msg("recovery-codes-download-file-description")}</p>
<div class="notice warn"><p><strong>${msg("recovery-code-config-warning-title")}</strong></p><p>${msg("recovery-code-config-warning-message")}</p></div>
<ol class="card codes code" id="kc-recovery-codes-list">
  <#list codes.generatedRecoveryAuthnCodesList as code><li>${code[0..3]}-${code[4..7]}-${code[8..]}</li></#list>
</ol>
<div class="actions no-print">
  <button class="second" type="button" hidden data-print>${msg("recovery-codes-print")}</button>
  <button class="second" type="button" hidden data-save="kc-recovery-codes-list" data-heading="${msg("recovery-codes-download-file-header")}" data-name="${msg("lzCodesFile")}">${msg("recovery-codes-download")}</button>
  <button class="second" type="button" hidden data-copy="kc-recovery-codes-list" data-done="${msg("recovery-codes-copied")}">${msg("recovery-codes-copy")}</button>
  <span role="status" id="copied"></span>
</div>
<form class="card" id="kc-recovery-codes-settings-form" action="${url.loginAction}" method="post">
  <input type="hidden" name="generatedRecoveryAuthnCodes" value="${codes.generatedRecoveryAuthnCodesAsString}">
  <input type="hidden" name="generatedAt" value="${codes.generatedAt?c}">
  <input type="hidden" name="userLabel" value="${msg("recovery-codes-label-default")}">
  <@parts.choice name="kcRecoveryCodesConfirmationCheck" label=msg("recovery-codes-confirmation-message") required=true/>
  <@parts.logoutOtherSessions/>
  <@parts.buttons label=msg("recovery-codes-action-complete") id="saveRecoveryAuthnCodesBtn"/>
</form>
</#if>
</@layout.registrationLayout>
