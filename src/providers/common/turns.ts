import type { Block } from './own.js'

/** One turn of a conversation in which roles alternate. Tool results stand apart, because they must be first and together. */
export interface Turn<Role extends string> {
  readonly role: Role
  readonly results: Block[]
  readonly rest: Block[]
}

/** Puts messages together to turns: neighbours of one role become one. */
export class Turns<Role extends string> {
  readonly list: Turn<Role | 'user'>[] = []

  write(role: Role, blocks: readonly Block[]): void {
    if (blocks.length === 0) return
    const last = this.list.at(-1)
    if (last?.role === role) last.rest.push(...blocks)
    else this.list.push({ role, results: [], rest: [...blocks] })
  }

  /** A tool result goes right behind the call, whatever was said in between. */
  result(...blocks: readonly Block[]): void {
    const at = this.list.findLastIndex(turn => turn.role === 'assistant') + 1
    let turn = this.list[at]
    if (turn?.role !== 'user') {
      turn = { role: 'user', results: [], rest: [] }
      this.list.splice(at, 0, turn)
    }
    turn.results.push(...blocks)
  }

  messages(): { readonly role: Role | 'user'; readonly content: readonly Block[] }[] {
    return this.list.map(({ role, results, rest }) => ({ role, content: [...results, ...rest] }))
  }
}

/** True where the conversation ends in a tool loop whose assistant turn does not begin with reasoning that can be sent back. */
export function loopLacks(messages: readonly { readonly role: string; readonly content: readonly Block[] }[], isResult: (block: Block) => boolean, isThought: (block: Block) => boolean): boolean {
  const last = messages.at(-1)
  const begin = last?.content[0]
  if (last?.role !== 'user' || begin === undefined || !isResult(begin)) return false
  const first = messages.findLast(message => message.role === 'assistant')?.content[0]
  return first === undefined || !isThought(first)
}
