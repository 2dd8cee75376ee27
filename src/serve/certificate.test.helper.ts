// A certificate of localhost for tests, and its key, which protects nothing. Made by: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
// -nodes -keyout key.pem -out cert.pem -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNCCPUSPUGajHvTr0
wgi1tFHhmAr11f/Jw9Wap5ItVBmhRANCAARM09yhXEbqIPf96EJiJaAY14KaYYgL
FuN9IryDsKgN+egv/lbCy7FElVmWaWusMMBkzwdKOBIV6BBl49iHhEoE
-----END PRIVATE KEY-----
`;

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUcfMYUMkjgiCelFj8KuXRcMuBosswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE5MzAzMVoYDzIxMjYxMTA0
MTkzMDMxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARM09yhXEbqIPf96EJiJaAY14KaYYgLFuN9IryDsKgN+egv/lbCy7FE
lVmWaWusMMBkzwdKOBIV6BBl49iHhEoEo28wbTAdBgNVHQ4EFgQU3uvmKuo4SyHL
WhaW2n+DkaclUR0wHwYDVR0jBBgwFoAU3uvmKuo4SyHLWhaW2n+DkaclUR0wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAMAmzM2qymNyij2uaJInH/vTKalaP1nuWjZ11euJf8TTAiAf
+jLAMj9lMCLDo/KF9VpjlhGvl9ODdVyQAhCuEApdNg==
-----END CERTIFICATE-----
`;
