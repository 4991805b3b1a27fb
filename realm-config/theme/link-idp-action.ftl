<#import "template.ftl" as layout>
<@layout.registrationLayout displayMessage=false; section>
<#if section = "header">${msg("linkIdpActionTitle", idpDisplayName)}
<#elseif section = "form">
<p class="lead">${msg("linkIdpActionMessage", idpDisplayName)}</p>
<form class="actions" action="${url.loginAction}" method="post">
  <button type="submit" id="kc-continue" name="continue" value="yes">${msg("lzGoOn")}</button>
  <button class="second" type="submit" id="kc-cancel" name="cancel-aia" value="true">${msg("doCancel")}</button>
</form>
</#if>
</@layout.registrationLayout>
