/** vectors.wat, compiled by scripts/build.js. */
declare module '#vector-kernels' {
  const bytes: Uint8Array
  export default bytes
}

/** As much of it as is used; Node's types have none. */
declare const WebAssembly: {
  readonly Memory: new (init: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: object }
}
