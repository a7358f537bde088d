import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { InputError } from '../../errors.ts'

/** 400 with one sentence for what the user can mend. */
export async function answer<T> (reply: FastifyReply, work: () => Promise<T>): Promise<T | { error: string }> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    reply.code(400)
    return { error: error.message }
  }
}

/** @throws InputError for a body of another shape. */
export function checked<T> (schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new InputError(`the request is malformed: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
  return parsed.data
}
