/**
 * Requests to the service, through Jupyter's own connection and so with its login and cross-site token, and to Jupyter's own address only.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { faultOf, isProblem, ServiceFault } from './fault';

/** Where the service is, under Jupyter's address. */
export const mount = 'stepwell';

export interface Asking {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
}

export class Rest {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** The answer's JSON; undefined where it has no body. */
  async json<T>(method: 'GET' | 'POST', route: string[], asking: Asking = {}): Promise<T> {
    const response = await this._ask(method, route, asking);
    if (response.status === 204) return undefined as T;
    const body = await response.json().catch(() => undefined);
    if (body === undefined)
      throw new ServiceFault('unreachable', 'The service answered something that is not JSON. Is another program at its address?');
    return body as T;
  }

  async blob(route: string[]): Promise<Blob> {
    return (await this._ask('GET', route, {})).blob();
  }

  private async _ask(method: 'GET' | 'POST', route: string[], { query = {}, body, headers = {} }: Asking): Promise<Response> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const address =
      URLExt.join(this._settings.baseUrl, mount, 'api/v1', ...route.map(part => encodeURIComponent(part))) +
      (given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '');
    const init: RequestInit = {
      method,
      // What JupyterLab does otherwise (`no-store`) puts the time into the address.
      cache: 'no-cache',
      headers: { ...headers, ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}) },
      ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
    };
    const response = await ServerConnection.makeRequest(address, init, this._settings).catch(cause => {
      throw new ServiceFault('unreachable', 'Jupyter does not answer.', { cause });
    });
    if (!response.ok) throw await fault(response);
    return response;
  }
}

async function fault(response: Response): Promise<ServiceFault> {
  const body = await response.json().catch(() => undefined);
  if (isProblem(body)) return faultOf(body);
  if (response.status === 403 || response.status === 401) {
    return new ServiceFault('forbidden', 'Jupyter does not let the request through. Reload the page and log in again.');
  }
  if (response.status === 404) {
    return new ServiceFault(
      'unreachable',
      'The service is not there. Is Stepwell’s Jupyter server extension enabled (`jupyter server extension list`)?',
    );
  }
  return new ServiceFault('unreachable', `The service cannot be reached (Jupyter answered ${response.status}).`);
}
