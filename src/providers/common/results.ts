import type { FilePart, ImagePart, Message, TextPart, ToolMessage } from '../../protocol/request.js'
import type { Notes } from './notes.js'
import { verbatim } from './own.js'

type Media = ImagePart | FilePart

function split(message: ToolMessage, dialect: string): { readonly kept: ToolMessage; readonly media: readonly Media[] } {
  if (typeof message.content === 'string') return { kept: message, media: [] }
  const stays = (part: TextPart | Media): boolean => part.type === 'text' || verbatim(part.providerData, dialect) !== undefined
  const media = message.content.filter((part): part is Media => !stays(part))
  const rest = message.content.filter(stays)
  return { kept: { ...message, content: rest.length > 0 ? rest : 'The result is attached in the next user message.' }, media }
}

/**
 * The conversation for a dialect whose tool results are text: their images and files follow in a user message, behind the last
 * result of the turn.
 */
export function textResults(messages: readonly Message[], dialect: string, notes: Notes): Message[] {
  const out: Message[] = []
  let waiting: (TextPart | Media)[] = []
  const attach = () => {
    if (waiting.length > 0) out.push({ role: 'user', content: waiting })
    waiting = []
  }
  for (const [at, message] of messages.entries()) {
    if (message.role !== 'tool') {
      attach()
      out.push(message)
      continue
    }
    const { kept, media } = split(message, dialect)
    out.push(kept)
    if (media.length === 0) continue
    notes.add('changed', 'This provider takes text only as a tool result; images and files went into a user message after it.', `messages[${at}].content`)
    waiting.push({ type: 'text', text: `Attached to the result of the tool call ${message.toolCallId}:` }, ...media)
  }
  attach()
  return out
}
