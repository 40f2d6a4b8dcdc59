/** Markdown as the bundler gives it to the extension: a text. */
module.exports = { process: text => ({ code: `module.exports = { __esModule: true, default: ${JSON.stringify(text)} };` }) };
