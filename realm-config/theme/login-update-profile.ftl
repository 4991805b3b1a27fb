<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = []>
<#list profile.attributes as one><#assign wrong += parts.errors([one.name])></#list>
<@layout.registrationLayout displayMessage=messagesPerField.exists("global") fieldErrors=wrong; section>
<#if section = "header">${msg("loginProfileTitle")}
<#elseif section = "form">
<form id="kc-update-profile-form" class="card" action="${url.loginAction}" method="post" novalidate>
  <#list profile.attributes as one>
  <#if one.name = "locale"><input type="hidden" name="locale" value="${(locale.currentLanguageTag)!}">
  <#elseif one.readOnly>
  <#if one.value?has_content><dl class="facts"><dt>${advancedMsg(one.displayName!one.name)}</dt><dd>${one.value}</dd></dl></#if>
  <#else><@parts.field name=one.name label=advancedMsg(one.displayName!one.name) value=(one.value!"") required=one.required error=messagesPerField.existsError(one.name)?then(messagesPerField.get(one.name), "")/>
  </#if>
  </#list>
  <@parts.buttons label=msg("lzSave") id="kc-submit"/>
</form>
</#if>
</@layout.registrationLayout>
