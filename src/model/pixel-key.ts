import { createHash } from 'node:crypto'
import type { Fitted } from '../dataset/index.ts'

/** SHA-256 (hex) over the pixels as the encoder sees them, and over what else their features depend on. */
export function pixelKey ({ fittedHeight, fittedWidth, channels, image }: Fitted, context = ''): string {
  return createHash('sha256').update(JSON.stringify([context, fittedHeight, fittedWidth, channels])).update(image).digest('hex')
}
