interface Port {
  onmessage: ((event: never) => void) | null
  postMessage(message: null): void
  close(): void
  ref?(): void
  unref?(): void
}

/** The next turn of the event loop, without a timer. Promise jobs alone would end before the next socket is read. */
export class NextTurn {
  #ports: { readonly here: Port; readonly there: Port } | undefined
  #resolve: (() => void) | undefined

  /** One at a time. */
  wait(): Promise<void> {
    const { here, there } = (this.#ports ??= this.#open())
    return new Promise(resolve => {
      this.#resolve = resolve
      // Only while somebody waits does it keep the process alive.
      here.ref?.()
      there.postMessage(null)
    })
  }

  close(): void {
    this.#ports?.here.close()
    this.#ports = undefined
  }

  #open(): { readonly here: Port; readonly there: Port } {
    const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port }
    port1.onmessage = () => {
      port1.unref?.()
      this.#resolve?.()
    }
    return { here: port1, there: port2 }
  }
}
