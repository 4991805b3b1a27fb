<#import "template.ftl" as layout>
<#import "parts.ftl" as parts>
<#assign wrong = parts.errors(["totp", "userLabel"])>
<#assign named = (realm.displayName!realm.name)?url("UTF-8")>
<@layout.registrationLayout displayMessage=!wrong?has_content fieldErrors=wrong; section>
<#if section = "header">${msg("loginTotpTitle")}
<#elseif section = "form">
<p class="lead">${msg("loginTotpIntro")}</p>
<ol class="card numbered" id="kc-totp-settings">
  <li><p>${msg("loginTotpStep1")} <#list totp.supportedApplications as one>${msg(one)}<#sep>${msg("lzListComma")}</#list>${msg("lzFullStop")}</p></li>
  <li>
    <p>${msg("loginTotpStep2")}</p>
    <p><img class="qr" id="kc-totp-secret-qr-code" src="data:image/png;base64, ${totp.totpSecretQrCode}" alt="${msg("lzQrAlternative")}" width="200" height="200"></p>
    <p>${msg("loginTotpUnableToScan")}</p>
    <p class="code key"><span id="kc-totp-secret-key">${totp.totpSecretEncoded}</span></p>
    <p><a href="otpauth://totp/${named}?secret=${totp.totpSecretEncoded?replace(" ", "")}&amp;issuer=${named}&amp;algorithm=${totp.policy.getAlgorithmKey()}&amp;digits=${totp.policy.digits}&amp;period=${totp.policy.period}">${msg("lzOpenInApp")}</a></p>
    <details><summary>${msg("loginTotpManualStep3")}</summary>
      <dl class="facts">
        <dt>${msg("loginTotpType")}</dt><dd id="kc-totp-type">${msg("loginTotp." + totp.policy.type)}</dd>
        <dt>${msg("loginTotpAlgorithm")}</dt><dd id="kc-totp-algorithm">${totp.policy.getAlgorithmKey()}</dd>
        <dt>${msg("loginTotpDigits")}</dt><dd id="kc-totp-digits">${totp.policy.digits}</dd>
        <dt>${msg("loginTotpInterval")}</dt><dd id="kc-totp-period">${msg("lzSeconds", totp.policy.period)}</dd>
      </dl>
    </details>
  </li>
  <li><p>${msg("loginTotpStep3")}</p></li>
</ol>
<form class="card" id="kc-totp-settings-form" action="${url.loginAction}" method="post" novalidate>
  <@parts.field name="totp" label=msg("authenticatorCode") hint=msg("lzOtpHint") autocomplete="one-time-code" numeric=true short=true maxlength=12 error=messagesPerField.existsError("totp")?then(messagesPerField.get("totp"), "")/>
  <@parts.field name="userLabel" label=msg("loginTotpDeviceName") hint=msg("loginTotpStep3DeviceName") maxlength=60 required=(totp.otpCredentials?size gte 1) error=messagesPerField.existsError("userLabel")?then(messagesPerField.get("userLabel"), "")/>
  <input type="hidden" id="totpSecret" name="totpSecret" value="${totp.totpSecret}">
  <#if mode??><input type="hidden" name="mode" value="${mode}"></#if>
  <@parts.logoutOtherSessions/>
  <@parts.buttons label=msg("lzFinish") id="saveTOTPBtn"/>
</form>
</#if>
</@layout.registrationLayout>
