<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign asksCode = lzMobile?has_content>
<#assign wrong = lzWrong?has_content?then(msg(lzWrong), "")>
<#assign at = asksCode?then("code", "mobile")>
<@layout.registrationLayout displayMessage=false fieldErrors=(wrong?has_content && !(lzKnown && !asksCode))?then([{"field": at, "text": wrong}], []); section>
<#if section = "header">${msg("lzSmsTitle")}
<#elseif section = "form">
<#if !asksCode && (client.name)?has_content && !lzKnown><p class="lead">${msg("lzSignInFor", client.name)}</p></#if>
<#if asksCode>
<p class="lead" id="lz-sent">${msg("lzSmsSent", lzMobile[0..2] + "****" + lzMobile[7..10])}</p>
<form id="lz-sms-code" class="card" action="${url.loginAction}" method="post" novalidate>
  <@parts.field name="code" label=msg("lzSmsCode") hint=msg("lzSmsCodeHint") autocomplete="one-time-code" numeric=true short=true maxlength=12 focus=true error=wrong/>
  <div class="actions"><button type="submit" id="kc-login">${msg("doLogIn")}</button></div>
</form>
<form class="actions" action="${url.loginAction}" method="post">
  <button class="second" type="submit" name="resend" value="yes">${msg("lzSmsAgain")}</button>
  <#if !lzKnown><button class="second" type="submit" name="other-number" value="yes">${msg("lzSmsOtherNumber")}</button></#if>
</form>
<#else>
<form id="lz-sms-mobile" class="card" action="${url.loginAction}" method="post" novalidate>
  <#if lzKnown>
  <#if wrong?has_content><p class="error" role="alert">${wrong}</p></#if>
  <input type="hidden" name="mobile" value="">
  <p>${msg("lzSmsToYours")}</p>
  <#else>
  <@parts.field name="mobile" label=msg("lzSmsMobile") hint=msg("lzSmsMobileHint") value=lzTyped autocomplete="tel-national" numeric=true maxlength=20 focus=true error=wrong/>
  </#if>
  <div class="actions"><button type="submit" id="lz-send">${msg("lzSmsSend")}</button></div>
</form>
</#if>
</#if>
</@layout.registrationLayout>
