/** What is used of packages that bring no types. */
declare module 'jpeg-lossless-decoder-js' {
  export class Decoder {
    constructor (buffer?: ArrayBuffer | null, bytesPerSample?: number)
    decompress (buffer: ArrayBuffer, offset: number, length: number): ArrayBuffer
  }
}

/** A decoder of one of the codecs, which keeps its memory until it is deleted. */
interface WasmDecoder {
  getEncodedBuffer (length: number): Uint8Array
  decode (): void
  getDecodedBuffer (): Uint8Array
  getFrameInfo (): { width: number, height: number, bitsPerSample: number, componentCount: number, isSigned?: boolean }
  getInterleaveMode? (): number
  delete (): void
}

declare module '@cornerstonejs/codec-charls/decode' {
  const load: (module: { print: () => void, printErr: () => void }) => Promise<{ JpegLSDecoder: new () => WasmDecoder }>
  export default load
}

declare module '@cornerstonejs/codec-openjpeg/decode' {
  const load: (module: { print: () => void, printErr: () => void }) => Promise<{ J2KDecoder: new () => WasmDecoder }>
  export default load
}

declare module 'dcmjs' {
  const dcmjs: {
    readonly data: {
      readonly datasetToDict: (dataset: object) => { dict: Record<string, { vr: string, Value: unknown[] }>, write (): ArrayBuffer }
    }
    readonly log: { setLevel (level: string): void }
  }
  export default dcmjs
}
