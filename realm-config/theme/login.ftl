<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = "">
<#if messagesPerField.existsError("username", "password")><#assign wrong = messagesPerField.getFirstError("username", "password")></#if>
<#assign at = usernameHidden???then("password", "username")>
<#macro realname>
<#if (social.providers)?has_content>
<section class="card" aria-labelledby="other-way">
  <h2 id="other-way">${msg("identity-provider-login-label")}</h2>
  <p>${msg("lzRealNameHint")}</p>
  <div class="actions"><#list social.providers as one><a class="button second" id="social-${one.alias}" href="${one.loginUrl}">${(one.alias = "realname")?then(msg("lzProvider-realname"), one.displayName!one.alias)}</a></#list></div>
</section>
</#if>
</#macro>
<@layout.registrationLayout bodyClass="two" waysShown=true displayMessage=!wrong?has_content fieldErrors=wrong?has_content?then([{"field": at, "text": wrong}], []); section>
<#if section = "header">${usernameHidden???then(msg("lzReauthenticateTitle"), msg("loginAccountTitle"))}
<#elseif section = "form">
<#if (client.name)?has_content && !usernameHidden??><p class="lead">${msg("lzSignInFor", client.name)}</p></#if>
<form id="kc-form-login" class="card" action="${url.loginAction}" method="post" novalidate>
  <#if !usernameHidden??><@parts.field name="username" label=msg("username") value=(login.username!"") autocomplete="username" error=wrong focus=!login.username?has_content/></#if>
  <@parts.field name="password" label=msg("password") type="password" autocomplete="current-password" error=usernameHidden???then(wrong, "") focus=(usernameHidden?? || login.username?has_content) && !wrong?has_content/>
  <input type="hidden" name="credentialId" value="${(auth.selectedCredential)!}">
  <div class="actions"><button type="submit" id="kc-login" name="login" value="yes">${msg("doLogIn")}</button></div>
</form>
<#elseif section = "socialProviders" && (auth.authenticationSelections)?has_content && auth.authenticationSelections?size gt 1>
<section class="card" aria-labelledby="further-ways">
  <h2 id="further-ways">${msg("lzFurtherWays")}</h2>
  <form action="${url.loginAction}" method="post">
    <ul class="ways"><#list auth.authenticationSelections as one><#if one.displayName != "auth-username-password-form-display-name">
    <li><button class="second" type="submit" name="authenticationExecution" value="${one.authExecId}" aria-describedby="further-${one?index}">${msg(one.displayName)}</button><p class="hint" id="further-${one?index}">${msg(one.helpText)}</p></li></#if></#list></ul>
  </form>
</section>
<@realname/>
<#elseif section = "socialProviders"><@realname/>
</#if>
</@layout.registrationLayout>
