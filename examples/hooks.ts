// A plugin that hides e-mail addresses from the provider and puts them back for the caller, across chunks.
import { Gateway, GatewayError, type ChatEvent, type Plugin } from 'sallyport'
import { scripted } from 'sallyport/testing'

const ADDRESS = /[\w.]+@[\w.]+\w/g

const hideAddresses: Plugin = {
  name: 'hide-addresses',
  open: () => {
    const hidden = new Map<string, string>()
    let held = ''
    const restore = (text: string): string => text.replace(/\[MAIL_\d+\]/g, mark => hidden.get(mark) ?? mark)
    const hide = (text: string): string =>
      text.replace(ADDRESS, address => {
        const mark = `[MAIL_${hidden.size + 1}]`
        hidden.set(mark, address)
        return mark
      })
    return {
      request(request) {
        if (JSON.stringify(request.messages).includes('password')) throw new GatewayError('refused', 'Passwords do not leave the house.', { origin: 'caller' })
        return { ...request, messages: request.messages.map(message => (typeof message.content === 'string' ? { ...message, content: hide(message.content) } : message)) }
      },
      event(event): ChatEvent | undefined {
        if (event.type !== 'text-delta') return event
        const text = restore(held + event.text)
        // A mark may be cut in two: what could be the beginning of one waits for the rest.
        const open = text.lastIndexOf('[')
        const cut = open >= 0 && !text.includes(']', open) && text.length - open < 20 ? open : text.length
        held = text.slice(cut)
        return cut === 0 ? undefined : { type: 'text-delta', text: text.slice(0, cut) }
      },
      flush(reason) {
        const rest = held
        held = ''
        return reason === 'restart' || rest === '' ? [] : [{ type: 'text-delta', text: rest }]
      },
    }
  },
}

const upstream = scripted({ answers: { chunks: ['I wrote to [MA', 'IL_1] for you.'] } })
const gateway = new Gateway({ routes: { smart: upstream }, plugins: [hideAddresses] })
const { text } = await gateway.chat({ model: 'smart', messages: 'Write to ada@example.com please.' })
console.log('the provider saw:', upstream.calls[0]?.request.messages[0]?.content)
console.log('the caller got:  ', text)
await gateway.chat({ model: 'smart', messages: 'My password is hunter2' }).catch((error: unknown) => console.log(GatewayError.is(error) ? `${error.code}: ${error.message}` : error))
await gateway.close()
