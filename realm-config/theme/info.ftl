<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<@layout.registrationLayout displayMessage=false; section>
<#if section = "header"><#if messageHeader??>${kcSanitize(msg(messageHeader))?no_esc}<#elseif requiredActions??>${msg("lzInfoTitle")}<#else>${kcSanitize(message.summary)?no_esc}</#if>
<#elseif section = "form">
<#if messageHeader?? || requiredActions??><p class="lead" id="kc-info-message">${kcSanitize(message.summary)?no_esc}<#if requiredActions??>${msg("lzColon")}<#list requiredActions as one>${msg("requiredAction." + one)}<#sep>${msg("lzListComma")}</#list></#if></p></#if>
<@parts.back/>
</#if>
</@layout.registrationLayout>
