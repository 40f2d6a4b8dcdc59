/** What JupyterLab's packages ask of a browser and jsdom has not. */
const { TextDecoder, TextEncoder } = require('node:util');
const { webcrypto } = require('node:crypto');

Object.assign(globalThis, {
  TextDecoder,
  TextEncoder,
  DragEvent: class DragEvent extends Event {},
  ResizeObserver: class ResizeObserver {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
  IntersectionObserver: class IntersectionObserver {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
});
globalThis.crypto.subtle ??= webcrypto.subtle;
globalThis.structuredClone ??= value => JSON.parse(JSON.stringify(value));
globalThis.requestIdleCallback ??= callback => setTimeout(() => callback({ didTimeout: false, timeRemaining: () => 50 }), 0);
globalThis.cancelIdleCallback ??= handle => clearTimeout(handle);
// A spec may choose Node as its environment instead.
if (typeof window !== 'undefined') {
  window.matchMedia ??= () => ({ matches: false, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {} });
  document.createRange ??= () => new Range();
  Range.prototype.getClientRects ??= () => [];
  Range.prototype.getBoundingClientRect ??= () => ({ left: 0, top: 0, right: 0, bottom: 0, width: 0, height: 0 });
}

// JupyterLab's shared models fill a cell before they put it into its document, and yjs complains of it once per cell.
const { warn } = console;
console.warn = (...said) => {
  if (!/^Invalid access: Add Yjs type to a document/.test(String(said[0]))) warn.apply(console, said);
};
