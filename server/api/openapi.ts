/** The OpenAPI 3.1 document, made from the routes (`route.ts`) and the schemas that validate them. */
import { z } from 'zod';
import type { ApiProblemType } from '../../pipeline/model/protocol';
import { kinds } from './errors';
import type { Answer, Route } from './route';
import { ApiProblems } from './schemas/protocol';

type Json = Record<string, unknown>;

export function openApi(routes: readonly Route[], version: string): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stepwell',
      version,
      description:
        'Notebooks as pipelines: compile, run, watch. Lists are pages; problems are application/problem+json (RFC 9457) with a stable word as their type. Live changes come over socket.io at /socket.io/.',
    },
    // Counted from where the document itself is found, so that it holds behind any prefix.
    servers: [{ url: '../..' }],
    security: [{ secret: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        secret: { type: 'http', scheme: 'bearer', description: "The service's secret. Under Jupyter its login stands in for it." },
      },
    },
  };
}

function operation(route: Route, schemas: Json): Json {
  const parameters = [
    ...inPlace(route.params, 'path', schemas),
    ...inPlace(route.query, 'query', schemas),
    ...inPlace(route.headers, 'header', schemas),
  ];
  return {
    operationId: operationId(route),
    summary: route.title,
    ...(route.description ? { description: route.description } : {}),
    tags: [route.group],
    ...(route.open ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: convert(route.body, 'input', schemas) } } } }
      : {}),
    responses: { ...answers(route, schemas), ...problems(route, schemas) },
  };
}

/** `getRunsEvents`: the method and the fixed words of the path. */
function operationId({ method, path }: Route): string {
  const words = path
    .replace(/^\/api\/v1/, '')
    .split('/')
    .filter(Boolean);
  const one = words.at(-1)?.startsWith('{') ? 'One' : '';
  const fixed = words.filter(word => !word.startsWith('{')).map(word => word.replace(/\W/g, ' '));
  return (
    method +
    fixed
      .flatMap(word => word.split(' '))
      .map(word => word[0]!.toUpperCase() + word.slice(1))
      .join('') +
    one
  );
}

function inPlace(schema: z.ZodType | undefined, where: 'path' | 'query' | 'header', schemas: Json): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = convert(schema, 'output', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description ? { description } : {}),
    schema: rest,
  }));
}

function answers(route: Route, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(route.answers as Record<number, Answer>).map(([status, { description, schema, raw, headers }]) => {
      const content = schema
        ? { 'application/json': { schema: convert(schema, 'output', schemas) } }
        : raw && Object.fromEntries(raw.map(type => [type, {}]));
      return [
        status,
        {
          description,
          ...(headers
            ? {
                headers: Object.fromEntries(
                  Object.entries(headers).map(([name, says]) => [name, { description: says, schema: { type: 'string' } }]),
                ),
              }
            : {}),
          ...(content ? { content } : {}),
        },
      ];
    }),
  );
}

/** What any route may answer, by what it takes, and what it lists itself; one entry a status. */
function problems(route: Route, schemas: Json): Json {
  const types: ApiProblemType[] = [
    'internal',
    'bad-request',
    ...(route.open ? [] : (['unauthorized', 'forbidden', 'storage', 'stopping'] as const)),
    ...(route.params ? (['not-found'] as const) : []),
    ...(route.body ? (['unsupported-media-type', 'too-large', 'invalid-body'] as const) : []),
    ...(route.problems ?? []),
  ];
  const byStatus = Map.groupBy(new Set(types), type => kinds[type].status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, some]) => [
        status,
        {
          description: some.map(type => `\`${type}\`: ${kinds[type].title}`).join('; '),
          content: { 'application/problem+json': { schema: convert(ApiProblems, 'output', schemas) } },
        },
      ]),
  );
}

/** The schema, with everything that has a name moved to the components. */
function convert(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  // A wrapper makes the schema itself, if it has a name, one of the definitions as well.
  const { properties, $defs = {} } = z.toJSONSchema(z.strictObject({ it: schema }), { io, unrepresentable: 'any' }) as unknown as {
    properties: { it: Json };
    $defs?: Record<string, Json>;
  };
  const placed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(placed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        key === '$ref' && typeof one === 'string' ? one.replace('#/$defs/', '#/components/schemas/') : placed(one),
      ]),
    );
  };
  for (const [name, definition] of Object.entries($defs)) schemas[name] ??= placed(definition);
  return placed(properties.it) as Json;
}
