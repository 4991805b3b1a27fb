<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = parts.errors(["password"], "password-new") + parts.errors(["password-confirm"])>
<#-- What the password policy refuses comes without a field. -->
<#assign refused = messagesPerField.existsError("password")?then(messagesPerField.get("password"), "")>
<#if !wrong?has_content && (message.type)! = "error"><#assign refused = message.summary wrong = [{"field": "password-new", "text": refused}]></#if>
<@layout.registrationLayout displayMessage=!wrong?has_content fieldErrors=wrong; section>
<#if section = "header">${msg("updatePasswordTitle")}
<#elseif section = "form">
<form id="kc-passwd-update-form" class="card" action="${url.loginAction}" method="post" novalidate>
  <@parts.field name="password-new" label=msg("passwordNew") type="password" hint=msg("lzPasswordHint") autocomplete="new-password" focus=!wrong?has_content error=refused/>
  <@parts.field name="password-confirm" label=msg("passwordConfirm") type="password" autocomplete="new-password" error=messagesPerField.existsError("password-confirm")?then(messagesPerField.get("password-confirm"), "")/>
  <@parts.logoutOtherSessions/>
  <@parts.buttons label=msg("lzSave") id="kc-submit" name="login"/>
</form>
</#if>
</@layout.registrationLayout>
