<#import "template.ftl" as layout>
<@layout.registrationLayout displayMessage=false; section>
<#if section = "header">${msg("lzAssuranceTitle")}
<#elseif section = "form">
<p class="lead" id="lz-assurance"><#if proved>${msg("lzAssuranceWeak", client.name!client.clientId)}<#else>${msg("lzAssuranceNone", client.name!client.clientId)}</#if></p>
<form class="actions" action="${url.loginAction}" method="post">
  <button type="submit" id="kc-back">${msg("backToApplication")}</button>
</form>
</#if>
</@layout.registrationLayout>
