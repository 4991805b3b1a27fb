<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
<#if section = "header">${msg("webauthn-error-title")}
<#elseif section = "form">
<p>${msg("lzPasskeyTrouble")}</p>
<form class="actions" id="kc-error-credential-form" action="${url.loginAction}" method="post">
  <input type="hidden" name="authenticationExecution" value="${execution}"><input type="hidden" name="isSetRetry" value="retry">
  <button type="submit" id="kc-try-again">${msg("doTryAgain")}</button>
  <#if isAppInitiatedAction??><button class="second" type="submit" name="cancel-aia" value="true">${msg("doCancel")}</button></#if>
</form>
</#if>
</@layout.registrationLayout>
