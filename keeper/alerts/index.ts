export { MarginCalls, type MarginCallDependencies, type NearEdge } from "./MarginCalls.js";
export { Webhook, type WebhookOptions, WebhookRefusedError } from "./Webhook.js";
