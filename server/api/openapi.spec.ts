/** The document: whole, without loose ends, and of one mind with the routes. */
import { openApi } from './openapi';
import { routes } from './routes';

const document = openApi(routes, '1.2.3') as {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: { name: string; in: string; required: boolean; schema: object }[];
        responses: Record<string, object>;
      }
    >
  >;
  components: { schemas: Record<string, object> };
};
const operations = Object.values(document.paths).flatMap(path => Object.values(path));

it('has every route once, by a name of its own', () => {
  expect(operations).toHaveLength(routes.length);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
});

it('refers to nothing that is not there, and has nothing that nobody refers to', () => {
  const referred = new Set([...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!));
  expect([...referred].sort()).toEqual(Object.keys(document.components.schemas).sort());
  expect(JSON.stringify(document)).not.toContain('$defs');
});

it('describes each part of an address, and queries as numbers where they are', () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters = [] } of Object.values(methods))
      expect(parameters.filter(one => one.in === 'path').map(({ name, required }) => [name, required])).toEqual(
        named.map(name => [name, true]),
      );
  }
  const { parameters } = document.paths['/api/v1/runs']!.get!;
  expect(parameters?.find(({ name }) => name === 'limit')).toMatchObject({
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 200 },
  });
});

it('lists who is refused for every route that is not open', () => {
  for (const route of routes) {
    const { responses } = document.paths[route.path]![route.method]!;
    expect(['401' in responses, '403' in responses]).toEqual([!route.open, !route.open]);
    expect('422' in responses).toBe(route.body !== undefined);
  }
});
