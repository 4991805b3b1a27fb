<#-- What several pages share: a field with its label, hint and error; the errors of fields; the buttons at a form's end. -->

<#-- The errors of these fields; `at` is the control that a message without control of its own leads to. -->
<#function errors names at="">
  <#local found = []>
  <#list names as name>
    <#if messagesPerField.existsError(name)>
      <#local found += [{"field": at?has_content?then(at, name), "text": messagesPerField.get(name)}]>
    </#if>
  </#list>
  <#return found>
</#function>

<#macro field name label type="text" value="" hint="" error="" autocomplete="off" required=true focus=false short=false numeric=false maxlength=255>
<div class="field<#if error?has_content> wrong</#if>">
  <label for="${name}">${label}<#if !required><span class="aside">${msg("lzOptional")}</span></#if></label>
  <#if hint?has_content><span class="hint" id="${name}-hint">${hint}</span></#if>
  <#if error?has_content><span class="error" id="${name}-error">${kcSanitize(error)?no_esc}</span></#if>
  <input id="${name}" name="${name}" type="${type}"<#if value?has_content> value="${value}"</#if> autocomplete="${autocomplete}" maxlength="${maxlength?c}" spellcheck="false" autocapitalize="off"<#rt>
    <#lt><#if short> class="short"</#if><#if numeric> inputmode="numeric"</#if><#if required> required</#if><#if focus && !error?has_content && (message.type)! != "error"> autofocus</#if><#rt>
    <#lt><#if hint?has_content || error?has_content> aria-describedby="<#if hint?has_content>${name}-hint</#if><#if error?has_content> ${name}-error</#if>"</#if><#if error?has_content> aria-invalid="true"<#elseif required> aria-invalid="false"</#if><#rt>
    <#lt><#if type = "password"> data-show="${msg("showPassword")}" data-hide="${msg("hidePassword")}"</#if>>
</div>
</#macro>

<#macro choice name label checked=false required=false>
<div class="field choice"><input id="${name}" name="${name}" type="checkbox" value="on"<#if checked> checked</#if><#if required> required aria-invalid="false"</#if>><label for="${name}">${label}</label></div>
</#macro>

<#macro logoutOtherSessions><@choice name="logout-sessions" label=msg("logoutOtherSessions")/></#macro>

<#-- The main button, and a way out where the site asked for this step. -->
<#macro buttons label id name="">
<div class="actions">
  <button type="submit" id="${id}"<#if name?has_content> name="${name}" value="yes"</#if>>${label}</button>
  <#if isAppInitiatedAction??><button class="second" type="submit" name="cancel-aia" value="true" formnovalidate>${msg("doCancel")}</button></#if>
</div>
</#macro>

<#-- The way back to the site one came from. -->
<#macro back class="button">
<#if skipLink??><#elseif pageRedirectUri?has_content><div class="actions"><a class="${class}" href="${pageRedirectUri}">${msg("backToApplication")}</a></div>
<#elseif actionUri?has_content><div class="actions"><a class="${class}" href="${actionUri}">${msg("proceedWithAction")}</a></div>
<#elseif (client.baseUrl)?has_content><div class="actions"><a class="${class}" id="backToApplication" href="${client.baseUrl}">${(client.name)?has_content?then(msg("lzBackTo", client.name), msg("backToApplication"))}</a></div>
</#if>
</#macro>
