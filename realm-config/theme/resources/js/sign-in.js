// Comforts of Keycloak's pages. Only passkeys need it; each other page works without.
// Keycloak's own module, from the theme below ours; our files lie one folder deeper, named by their version.
import { checkAuthSession, startSessionPolling } from "../../js/authChecker.js";

const page = document.body.dataset;
// Whoever signs in in another tab need not do it again here.
startSessionPolling(page.otherTabs);
if (page.sessionHash) checkAuthSession(page.sessionHash);

// Let people see what they type, where nobody looks over their shoulder.
for (const input of document.querySelectorAll("input[data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second reveal";
  button.setAttribute("aria-controls", input.id);
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? input.dataset.hide : input.dataset.show;
  };
  button.addEventListener("click", () => show(input.type === "password"));
  input.form.addEventListener("submit", () => show(false));
  const row = document.createElement("div");
  row.className = "revealing";
  input.before(row);
  row.append(input, button);
  show(false);
}

// Recovery codes: kept as a text file, or in the clipboard.
const linesOf = (id) => [...document.getElementById(id).children].map((one, index) => `${index + 1}. ${one.textContent}`).join("\r\n");
for (const button of document.querySelectorAll("[data-save]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    const text = `${button.dataset.heading}\r\n${new Date().toLocaleString(document.documentElement.lang)}\r\n\r\n${linesOf(button.dataset.save)}\r\n`;
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(linesOf(button.dataset.copy));
    document.getElementById("copied").textContent = button.dataset.done;
  });
}

// Passkeys (Web Authentication, level 2). Octets travel as base64url without padding.
const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const given = (value) => (value && value !== "not specified" ? value : undefined);
const keys = (list) => list.split(",").filter(Boolean).map((id) => ({ type: "public-key", id: octets(id) }));
const timeout = (asked) => (Number(asked.timeoutS) ? Number(asked.timeoutS) * 1000 : undefined);

const ceremonies = {
  async get(asked) {
    const { id, response } = await navigator.credentials.get({
      publicKey: {
        challenge: octets(asked.challenge), rpId: asked.rpId, timeout: timeout(asked),
        allowCredentials: keys(asked.allowed), userVerification: given(asked.userVerification),
      },
    });
    return {
      credentialId: id, clientDataJSON: base64url(response.clientDataJSON), authenticatorData: base64url(response.authenticatorData),
      signature: base64url(response.signature), userHandle: response.userHandle ? base64url(response.userHandle) : "",
    };
  },
  async create(asked) {
    const resident = given(asked.residentKey) ?? { Yes: "required", No: "discouraged" }[asked.requireResidentKey];
    const { rawId, response, authenticatorAttachment } = await navigator.credentials.create({
      publicKey: {
        challenge: octets(asked.challenge), rp: { id: asked.rpId, name: asked.rpName }, timeout: timeout(asked),
        user: { id: octets(asked.userId), name: asked.userName, displayName: asked.userName },
        pubKeyCredParams: asked.algorithms.split(",").filter(Boolean).map((alg) => ({ type: "public-key", alg: Number(alg) })),
        attestation: given(asked.attestation), excludeCredentials: keys(asked.excluded),
        authenticatorSelection: {
          authenticatorAttachment: given(asked.attachment), userVerification: given(asked.userVerification),
          residentKey: resident, requireResidentKey: resident === "required",
        },
      },
    });
    return {
      publicKeyCredentialId: base64url(rawId), clientDataJSON: base64url(response.clientDataJSON),
      attestationObject: base64url(response.attestationObject), transports: (response.getTransports?.() ?? []).join(),
      authenticatorAttachment: authenticatorAttachment ?? "",
    };
  },
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.querySelector("[data-start]").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    let answer;
    try {
      answer = window.PublicKeyCredential ? await ceremonies[form.dataset.passkey](form.dataset) : { error: form.dataset.unsupported };
    } catch (error) {
      answer = { error: String(error) };
    }
    for (const [name, value] of Object.entries(answer)) form.elements[name].value = value;
    form.submit();
  });
}
