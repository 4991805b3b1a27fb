<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = parts.errors(["recoveryCodeInput"])>
<@layout.registrationLayout displayMessage=!wrong?has_content fieldErrors=wrong; section>
<#if section = "header">${msg("auth-recovery-code-header")}
<#elseif section = "form">
<form id="kc-recovery-code-login-form" class="card" action="${url.loginAction}" method="post" novalidate>
  <@parts.field name="recoveryCodeInput" label=msg("auth-recovery-code-prompt", recoveryAuthnCodesInputBean.codeNumber?c) hint=msg("auth-recovery-code-info-message") autocomplete="off" focus=true maxlength=20 error=wrong?has_content?then(wrong[0].text, "")/>
  <div class="actions"><button type="submit" id="kc-login" name="login" value="yes">${msg("doContinue")}</button></div>
</form>
</#if>
</@layout.registrationLayout>
