/** Place holder so the build resolves; see below. */
import type { Plugin } from 'vite'
export function mock(): Plugin { return { name: 'mock' } }
