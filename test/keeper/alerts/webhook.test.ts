import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

import { expect } from "chai";
import { pino } from "pino";

import { Webhook, type WebhookOptions } from "../../../keeper/alerts/index.js";
import { Tally } from "../tally.js";

interface Body {
  readonly vault: string;
  readonly alerts: readonly { readonly n: number }[];
}

describe("keeper/alerts: webhook", () => {
  let server: Server;
  let url: string;
  let metrics: Tally;
  let bodies: Body[];
  /** Of the next requests, in order; then 200. "hang": no answer. */
  let answers: (number | "hang" | "drop")[];
  let settled: number[];
  let webhook: Webhook;

  beforeEach(async () => {
    [metrics, bodies, answers, settled] = [new Tally(), [], [], []];
    server = createServer((request, response) => {
      void json(request).then((body) => {
        bodies.push(body as Body);
        const answer = answers.shift() ?? 200;
        if (answer === "drop") request.socket.destroy();
        else if (answer !== "hang") response.writeHead(answer).end("{}");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });

  afterEach(async () => {
    await webhook.close(0);
    server.closeAllConnections();
    server.close();
  });

  function open(changes: Partial<WebhookOptions> = {}): void {
    const log = pino({ level: "silent" });
    webhook = new Webhook({ url, log, metrics, about: { vault: "0xaa" }, firstPauseMs: 1, attempts: 4, ...changes });
  }
  const send = (...numbers: number[]) => {
    for (const n of numbers) webhook.send({ n }, () => settled.push(n));
  };
  /** Waits until all that was sent is taken or given up. */
  const idle = () => webhook.close(60_000);
  const got = () => bodies.map(({ alerts }) => alerts.map(({ n }) => n));

  it("posts what a turn tells of in one request, with what the alerts are about", async () => {
    open();
    send(1, 2, 3);
    await idle();
    expect(bodies).to.deep.equal([{ vault: "0xaa", alerts: [{ n: 1 }, { n: 2 }, { n: 3 }] }]);
    expect(settled).to.deep.equal([1, 2, 3]);
    expect(metrics.counts).to.deep.equal({ "webhook_alerts taken": 3 });
  });

  it("posts a hundred at once at most", async () => {
    open();
    send(...Array.from({ length: 201 }, (_, n) => n));
    await idle();
    expect(got().map(({ length }) => length)).to.deep.equal([100, 100, 1]);
    expect(settled).to.deep.equal(got().flat());
  });

  for (const answer of [500, 503, 429, 408, "drop"] as const) {
    it(`tries again after ${answer}`, async () => {
      open();
      answers = [answer, answer];
      send(1);
      await idle();
      expect(got()).to.deep.equal([[1], [1], [1]]);
      expect([settled, metrics.counts]).to.deep.equal([[1], { "webhook_alerts taken": 1 }]);
    });
  }

  it("tries again where no answer comes in time", async () => {
    open({ timeoutMs: 200, attempts: 100 }); // on a slow machine a later one may be late as well
    answers = ["hang"];
    send(1);
    await idle();
    expect(got().slice(0, 2)).to.deep.equal([[1], [1]]);
    expect([settled, metrics.counts]).to.deep.equal([[1], { "webhook_alerts taken": 1 }]);
  });

  it("gives up what is refused for good, and goes on with the next", async () => {
    open();
    answers = [400];
    send(...Array.from({ length: 100 }, () => 1), 2);
    await idle();
    expect(got().map((numbers) => numbers[0])).to.deep.equal([1, 2]);
    expect(settled.length).to.equal(101);
    expect(metrics.counts).to.deep.equal({ "webhook_alerts given up": 100, "webhook_alerts taken": 1 });
  });

  it("gives up after so many attempts", async () => {
    open();
    answers = [500, 500, 500, 500];
    send(1);
    await idle();
    expect(bodies.length).to.equal(4);
    expect([settled, metrics.counts]).to.deep.equal([[1], { "webhook_alerts given up": 1 }]);
  });

  it("keeps so many waiting at most: of more the oldest is given up", async () => {
    open({ mostWaiting: 2 });
    send(1, 2, 3);
    expect(settled).to.deep.equal([1]);
    await idle();
    expect(got()).to.deep.equal([[2, 3]]);
    expect(metrics.counts).to.deep.equal({ "webhook_alerts given up": 1, "webhook_alerts taken": 2 });
  });

  it("ends when it is closed, and settles nothing that was not taken", async () => {
    open();
    answers = ["hang"];
    send(1);
    await once(server, "request");
    await webhook.close(0);
    send(2);
    expect([settled, metrics.counts]).to.deep.equal([[], {}]);
  });
});
