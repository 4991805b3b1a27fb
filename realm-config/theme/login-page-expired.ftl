<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
<#if section = "header">${msg("pageExpiredTitle")}
<#elseif section = "form">
<p class="lead">${msg("lzExpired")}</p>
<div class="actions">
  <a class="button" id="loginContinueLink" href="${url.loginAction}">${msg("pageExpiredMsg2")}</a>
  <a class="button second" id="loginRestartLink" href="${url.loginRestartFlowUrl}">${msg("pageExpiredMsg1")}</a>
</div>
</#if>
</@layout.registrationLayout>
