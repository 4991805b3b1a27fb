// The QR opens /VERIFY#LZ1:…; the fragment never reaches a server by itself, so this hands it over once.
"use strict";
(() => {
  const marker = location.hash.indexOf("LZ1:");
  if (marker < 0) return;
  document.getElementById("qr").value = location.href.slice(0, 4096);
  document.getElementById("qr-note").hidden = false;
  history.replaceState(null, "", "/verify");
  document.getElementById("qr-form").submit();
})();
