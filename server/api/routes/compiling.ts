/** What a notebook means, before it runs. */
import { answer, empty, route } from '../route';
import { CompileAnswers, CompileRequests, WarmRequests } from '../schemas/protocol';
import { forCompiler } from '../start';

const group = 'notebooks';

export const compiling = [
  route({
    method: 'post',
    path: '/api/v1/compile',
    title: 'Notebook to pipeline, with its problems',
    group,
    body: CompileRequests,
    answers: { 200: answer('Problems are no failure: they are what was asked for.', CompileAnswers) },
    async handle({ body: { notebook, name }, service }) {
      return { status: 200, body: await service.background.ask('compile', { notebook: forCompiler(notebook), name }) };
    },
  }),
  route({
    method: 'post',
    path: '/api/v1/warm',
    title: 'A Python gets ready for a notebook',
    description: 'Answered at once; nothing is waited for.',
    group,
    body: WarmRequests,
    answers: { 204: empty('Noted.') },
    handle({ body: { path, notebook }, service }) {
      const notebookPath = service.paths.notebook(path);
      if (!service.stopping) service.runs.warm(notebook, notebookPath);
      return { status: 204, body: undefined };
    },
  }),
];
