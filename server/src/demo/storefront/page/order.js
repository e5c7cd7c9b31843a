// The customer's order page. The shop hands over the token behind the #, which no server sees.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const status = document.createElement("payment-status");
status.setAttribute("endpoint", location.origin);
status.setAttribute("token", token);
status.setAttribute("lang", "en");
document.getElementById("payment").append(status);
