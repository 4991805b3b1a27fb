<#import "template.ftl" as layout>
<@layout.registrationLayout; section>
<#if section = "header">${msg("loginChooseAuthenticator")}
<#elseif section = "form">
<form id="kc-select-credential-form" action="${url.loginAction}" method="post">
  <ul class="ways">
    <#list auth.authenticationSelections as one>
    <li><button class="second" type="submit" name="authenticationExecution" value="${one.authExecId}" aria-describedby="way-${one?index}">${msg(one.displayName)}</button><p class="hint" id="way-${one?index}">${msg(one.helpText)}</p></li>
    </#list>
  </ul>
</form>
</#if>
</@layout.registrationLayout>
