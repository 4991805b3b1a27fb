<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<@layout.registrationLayout; section>
<#if section = "header">${msg("oauth2DeviceVerificationTitle")}
<#elseif section = "form">
<form id="kc-user-verify-device-user-code-form" class="card" action="${url.oauth2DeviceVerificationAction}" method="post" novalidate>
  <@parts.field name="device_user_code" label=msg("verifyOAuth2DeviceUserCode") focus=true short=true maxlength=20/>
  <div class="actions"><button type="submit">${msg("doContinue")}</button></div>
</form>
</#if>
</@layout.registrationLayout>
