// Starts Unleash on loopback, by what the environment says. It must report home to nobody.
import { start } from "unleash-server";

const { DATABASE, PORT, ADMIN_TOKEN, CLIENT_TOKENS } = process.env;
const tokens = JSON.parse(CLIENT_TOKENS).map((secret) => ({
  environment: secret.split(":")[1].split(".")[0],
  projects: ["*"],
  secret,
  type: "client",
  tokenName: secret,
}));
tokens.push({
  environment: "*",
  projects: ["*"],
  secret: ADMIN_TOKEN,
  type: "admin",
  tokenName: "admin",
});
await start({
  databaseUrl: DATABASE,
  db: { ssl: false },
  server: { port: Number(PORT), host: "127.0.0.1" },
  authentication: { initApiTokens: tokens },
  versionCheck: { enable: false },
  telemetry: false,
});
