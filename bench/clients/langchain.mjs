import { ChatOpenAI } from '@langchain/openai'

export function create({ baseUrl, model, messages }) {
  const chat = new ChatOpenAI({ model, apiKey: 'sk-bench', configuration: { baseURL: baseUrl } })
  return {
    chat: async () => (await chat.invoke(messages)).content,
    async stream(onText) {
      for await (const chunk of await chat.stream(messages)) if (chunk.content) onText(chunk.content)
    },
  }
}
