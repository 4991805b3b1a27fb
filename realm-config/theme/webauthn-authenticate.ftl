<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
<#if section = "header">${msg("webauthn-login-title")}
<#elseif section = "form">
<p class="lead">${msg("lzPasskeyHint")}</p>
<div class="card">
  <#if authenticators?? && shouldDisplayAuthenticators?? && shouldDisplayAuthenticators>
  <h2>${msg("webauthn-available-authenticators")}</h2>
  <ul><#list authenticators.authenticators as one><li>${one.label}</li></#list></ul>
  </#if>
  <form id="webauth" action="${url.loginAction}" method="post" data-passkey="get" data-challenge="${challenge}" data-rp-id="${rpId}"<#rt>
    <#lt> data-user-verification="${userVerification}" data-timeout-s="${createTimeout?c}" data-unsupported="${msg("webauthn-unsupported-browser-text")}"<#rt>
    <#lt> data-allowed="<#if authenticators??><#list authenticators.authenticators as one>${one.credentialId}<#sep>,</#list></#if>">
    <input type="hidden" name="clientDataJSON"><input type="hidden" name="authenticatorData"><input type="hidden" name="signature">
    <input type="hidden" name="credentialId"><input type="hidden" name="userHandle"><input type="hidden" name="error">
    <div class="actions"><button type="button" id="authenticateWebAuthnButton" data-start>${msg("webauthn-doAuthenticate")}</button></div>
  </form>
  <noscript><p class="notice warn">${msg("lzNeedsScript")}</p></noscript>
</div>
</#if>
</@layout.registrationLayout>
