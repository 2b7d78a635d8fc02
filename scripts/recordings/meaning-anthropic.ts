import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

function blocks(value: unknown): Fields[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }]
  return objects(value).map(raw => {
    const block = present(raw)
    return block['type'] === 'tool_result' && block['content'] !== undefined ? { ...block, content: blocks(block['content']) } : block
  })
}

// Neighbours of one role are one turn; the server joins them itself.
function turns(messages: unknown): Fields[] {
  const out: { role: unknown; content: Fields[]; [key: string]: unknown }[] = []
  for (const raw of objects(messages)) {
    const { role, content, ...rest } = present(raw)
    const last = out.at(-1)
    if (last !== undefined && last.role === role && Object.keys(rest).length === 0) last.content.push(...blocks(content))
    else out.push({ role, content: blocks(content), ...rest })
  }
  return out
}

/** What a messages body asks for. Whatever has no place of its own is kept under its own name. */
export function anthropicMeaning(body: Readonly<Fields>): Meaning {
  const { messages, system, tools, stream, ...rest } = present(body)
  return {
    ...rest,
    messages: turns(messages),
    ...(system !== undefined && { system: blocks(system) }),
    ...(tools !== undefined && { tools: objects(tools).map(present) }),
    stream: stream === true,
  }
}

/** Differences of this protocol that are right by design. */
export const ANTHROPIC_RULES: readonly Rule[] = [
  { reason: '`is_error: false` is left out: it is the default', allows: ({ path, recorded, arrived }) => path.endsWith('.is_error') && recorded === false && arrived === undefined },
]
