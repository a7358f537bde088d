/** Execution providers of ONNX Runtime, from the one to be preferred to the one that is always there. */
export const providers = ['cuda', 'webgpu', 'cpu'] as const
export type Provider = typeof providers[number]
