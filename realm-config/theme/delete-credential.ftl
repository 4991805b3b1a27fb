<#import "template.ftl" as layout>
<@layout.registrationLayout displayMessage=false; section>
<#if section = "header">${msg("deleteCredentialTitle", credentialLabel)}
<#elseif section = "form">
<p class="lead">${msg("deleteCredentialMessage", credentialLabel)}</p>
<form class="actions" action="${url.loginAction}" method="post">
  <button class="danger" type="submit" id="kc-accept" name="accept" value="yes">${msg("doConfirmDelete")}</button>
  <button class="second" type="submit" id="kc-decline" name="cancel-aia" value="true">${msg("doCancel")}</button>
</form>
</#if>
</@layout.registrationLayout>
