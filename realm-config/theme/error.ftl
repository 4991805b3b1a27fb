<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<@layout.registrationLayout displayMessage=false; section>
<#if section = "header">${msg("errorTitle")}
<#elseif section = "form">
<p class="lead" id="kc-error-message" role="alert">${kcSanitize(message.summary)?no_esc}</p>
<#if traceId??><p class="quiet small" id="traceId">${msg("traceIdSupportMessage", traceId)}</p></#if>
<@parts.back/>
</#if>
</@layout.registrationLayout>
