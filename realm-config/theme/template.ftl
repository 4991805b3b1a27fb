<#--
  The frame of every page of Keycloak's. Sections that a page fills in: header (main heading), form, info, socialProviders.
  fieldErrors: a list of {"field": id of the control, "text": sentence}, told first and beside the control.
-->
<#macro registrationLayout bodyClass="" displayInfo=false displayMessage=true displayRequiredFields=false fieldErrors=[] waysShown=false>
<#local heading><#nested "header"></#local>
<#local assets = url.resourcesPath + "/" + properties.version>
<#local isRefused = fieldErrors?has_content || (displayMessage && message?has_content && message.type = "error")>
<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<meta name="theme-color" content="#0b57a4">
<title><#if isRefused>${msg("lzErrorPrefix")}</#if>${heading?markup_string?trim?no_esc} - ${realm.displayName!realm.name}</title>
<link rel="icon" href="${assets}/img/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assets}/css/app.css">
<link rel="stylesheet" href="${assets}/css/sign-in.css">
<script src="${assets}/js/page.js" defer></script>
<script src="${assets}/js/sign-in.js" type="module"></script>
</head>
<body class="sign-in" data-page-id="login-${pageId}" data-other-tabs="${url.ssoLoginInOtherTabsUrl}"<#if authenticationSession??> data-session-hash="${authenticationSession.authSessionIdHash}"</#if>>
<a class="skip" href="#main">${msg("lzSkip")}</a>
<#if properties.demo! = "yes"><div class="demo-note" role="note">${msg("lzDemo")}</div></#if>
<header class="site-header">
  <div class="inner">
    <div class="brand"><img class="mark" src="${assets}/img/mark.svg" alt="" width="40" height="40"><span>${realm.displayName!realm.name}<small>${msg("lzMotto")}</small></span></div>
    <#if realm.internationalizationEnabled && locale?? && locale.supported?size gt 1>
    <nav class="who" aria-label="${msg("languages")}"><ul class="languages">
      <#list locale.supported as one><#if one.label != locale.current><li><a href="${one.url}" lang="${one.languageTag}" hreflang="${one.languageTag}">${one.label}</a></li></#if></#list>
    </ul></nav>
    </#if>
  </div>
</header>
<main id="main" tabindex="-1">
<div class="narrow ${bodyClass}">
<h1 id="kc-page-title">${heading?markup_string?trim?no_esc}</h1>
<#if auth?has_content && auth.showUsername() && !auth.showResetCredentials()>
<p class="account" id="kc-username">${msg("lzAccount")} <strong id="kc-attempted-username">${shortened(auth.attemptedUsername)}</strong>
<a id="reset-login" href="${url.loginRestartFlowUrl}">${msg("restartLoginTooltip")}</a></p>
</#if>
<#if fieldErrors?has_content>
<div class="error-summary" role="alert" tabindex="-1" aria-labelledby="wrong"><h2 id="wrong">${msg("lzPleaseCorrect")}</h2>
<ul><#list fieldErrors as one><li><a href="#${one.field}">${kcSanitize(one.text)?no_esc}</a></li></#list></ul></div>
<#elseif displayMessage && message?has_content && (message.type != "warning" || !isAppInitiatedAction??)>
<#if message.type = "error">
<div class="error-summary" role="alert" tabindex="-1"><p>${kcSanitize(message.summary)?no_esc}</p></div>
<#else>
<div class="notice<#if message.type = "warning"> warn</#if>" role="status"><p>${kcSanitize(message.summary)?no_esc}</p></div>
</#if>
</#if>
<#nested "form">
<#if auth?has_content && auth.showTryAnotherWayLink() && !waysShown>
<form id="kc-select-try-another-way-form" class="another-way" action="${url.loginAction}" method="post">
  <input type="hidden" name="tryAnotherWay" value="on">
  <button class="link" type="submit" id="try-another-way">${msg("doTryAnotherWay")}</button>
</form>
</#if>
<#nested "socialProviders">
<#if displayInfo><#nested "info"></#if>
</div>
</main>
<footer class="site-footer"><div class="inner"><p>${msg("lzHelp")}</p></div></footer>
</body>
</html>
</#macro>

<#-- A mobile number in a form that its owner recognises and a bystander cannot note down. -->
<#function shortened name>
  <#return name?matches("1[0-9]{10}")?then(name[0..2] + "****" + name[7..], name)>
</#function>
