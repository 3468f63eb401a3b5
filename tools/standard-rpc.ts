import { definePlugin } from "hardhat/plugins";
import type { HardhatPlugin } from "hardhat/types/plugins";

/** What every node answers, and what Hardhat answers itself with the network's own keys. */
const standard = /^(eth|net|web3)_|^personal_sign$/;
/** Hardhat's own node, which may be asked how it mines: waiting for a block is then quick. */
const localNode = "localhost";

/**
 * Sends nothing but standard methods to a node over HTTP. Hardhat and Ignition ask which kind of node it is by methods that only development
 * nodes have, and go on where there is no answer: they have that answer here, and the node never sees the question.
 */
const standardRpc: HardhatPlugin = definePlugin({
  id: "standard-rpc",
  hookHandlers: {
    network: async () => ({
      default: async () => ({
        async onRequest(context, connection, request, next) {
          const { networkConfig, networkName } = connection;
          const isReal = networkConfig.type === "http" && networkName !== localNode;
          if (!isReal || standard.test(request.method)) return next(context, connection, request);
          const message = `${request.method} is no method that every node has`;
          return { jsonrpc: "2.0", id: request.id, error: { code: -32601, message } };
        },
      }),
    }),
  },
});

export default standardRpc;
