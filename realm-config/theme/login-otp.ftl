<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = parts.errors(["totp"], "otp")>
<@layout.registrationLayout displayMessage=!wrong?has_content fieldErrors=wrong; section>
<#if section = "header">${msg("lzOtpTitle")}
<#elseif section = "form">
<form id="kc-otp-login-form" class="card" action="${url.loginAction}" method="post" novalidate>
  <#if otpLogin.userOtpCredentials?size gt 1>
  <fieldset><legend>${msg("lzWhichPhone")}</legend>
    <#list otpLogin.userOtpCredentials as one>
    <div class="choice"><input id="kc-otp-credential-${one?index}" type="radio" name="selectedCredentialId" value="${one.id}"<#if one.id = otpLogin.selectedCredentialId> checked</#if>><label for="kc-otp-credential-${one?index}">${one.userLabel?has_content?then(one.userLabel, msg("lzUnnamed"))}</label></div>
    </#list>
  </fieldset>
  </#if>
  <@parts.field name="otp" label=msg("loginOtpOneTime") hint=msg("lzOtpHint") autocomplete="one-time-code" numeric=true short=true maxlength=12 focus=true error=wrong?has_content?then(wrong[0].text, "")/>
  <div class="actions"><button type="submit" id="kc-login" name="login" value="yes">${msg("doContinue")}</button></div>
</form>
</#if>
</@layout.registrationLayout>
