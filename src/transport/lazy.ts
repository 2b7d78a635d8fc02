import type { Transport } from './types.js'

/** A transport that is loaded with the first request: an application that only builds a gateway does not pay for it. */
export function lazyTransport(load: () => Promise<Transport>): Transport {
  let ready: Transport | undefined
  let loading: Promise<Transport> | undefined
  let closed = false
  const open = async (): Promise<Transport> => {
    const transport = await (loading ??= load())
    ready = transport
    if (closed) await transport.close()
    return transport
  }
  return {
    send: (call, ctx) => (ready !== undefined ? ready.send(call, ctx) : open().then(transport => transport.send(call, ctx))),
    async close() {
      closed = true
      await (await loading)?.close()
    },
    sockets: () => (ready === undefined ? 0 : ready.sockets()),
  }
}
