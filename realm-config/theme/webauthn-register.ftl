<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<@layout.registrationLayout; section>
<#if section = "header">${msg("webauthn-registration-title")}
<#elseif section = "form">
<p class="lead">${msg("lzPasskeyIntro")}</p>
<form id="register" class="card" action="${url.loginAction}" method="post" data-passkey="create" data-challenge="${challenge}" data-rp-id="${rpId}" data-rp-name="${rpEntityName}"<#rt>
  <#lt> data-user-id="${userid}" data-user-name="${username}" data-algorithms="<#list signatureAlgorithms as one>${one?c}<#sep>,</#list>"<#rt>
  <#lt> data-attestation="${attestationConveyancePreference}" data-attachment="${authenticatorAttachment}" data-resident-key="${residentKey!}" data-require-resident-key="${requireResidentKey}"<#rt>
  <#lt> data-user-verification="${userVerificationRequirement}" data-timeout-s="${createTimeout?c}" data-excluded="${excludeCredentialIds}" data-unsupported="${msg("webauthn-unsupported-browser-text")}">
  <input type="hidden" name="clientDataJSON"><input type="hidden" name="attestationObject"><input type="hidden" name="publicKeyCredentialId">
  <input type="hidden" name="transports"><input type="hidden" name="authenticatorAttachment"><input type="hidden" name="error">
  <@parts.field name="authenticatorLabel" label=msg("lzPasskeyName") hint=msg("webauthn-registration-init-label-prompt") value=msg("webauthn-registration-init-label") maxlength=60/>
  <@parts.logoutOtherSessions/>
  <div class="actions">
    <button type="button" id="registerWebAuthn" data-start>${msg("doRegisterSecurityKey")}</button>
    <#if !isSetRetry?has_content && isAppInitiatedAction?has_content><button class="second" type="submit" name="cancel-aia" value="true" formnovalidate>${msg("doCancel")}</button></#if>
  </div>
</form>
<noscript><p class="notice warn">${msg("lzNeedsScript")}</p></noscript>
</#if>
</@layout.registrationLayout>
