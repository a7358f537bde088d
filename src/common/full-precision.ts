const NO_TF32 = { NVIDIA_TF32_OVERRIDE: '0' } as const

/**
 * For a process to be started that may load CUDA: newer cards would otherwise round float32 factors to 19 bits, which costs four of
 * seven digits.
 */
export function fullPrecision (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...NO_TF32, ...env }
}

/** The same within a process, before CUDA loads. */
export function keepFullPrecision (): void {
  process.env['NVIDIA_TF32_OVERRIDE'] ??= NO_TF32.NVIDIA_TF32_OVERRIDE
}
