/**
 * The way from the page to the service, which a story can block and open again: what is under way breaks, what is new fails at once, as when a
 * laptop leaves the network. Jupyter itself stays reachable.
 */
import type { Page } from '@playwright/test';

export class Road {
  /** Before the page is loaded: a connection that stands already cannot be blocked. */
  static async of(page: Pick<Page, 'route' | 'addInitScript' | 'evaluate'>): Promise<Road> {
    const road = new Road(page);
    await page.route(/\/stepwell\/(api|socket\.io)\//, route => (road._blocked ? route.abort('internetdisconnected') : route.fallback()));
    await page.addInitScript(layRoad);
    return road;
  }

  async block(): Promise<void> {
    await this._set(true);
  }

  async open(): Promise<void> {
    await this._set(false);
  }

  private constructor(private readonly _page: Pick<Page, 'evaluate'>) {}

  private async _set(blocked: boolean): Promise<void> {
    this._blocked = blocked;
    await this._page.evaluate(blocked => (window as unknown as { blockRoad(blocked: boolean): void }).blockRoad(blocked), blocked);
  }

  private _blocked = false;
}

/** In the page. A blocked websocket goes to a port where nobody listens, so that it fails as the browser lets it fail. */
function layRoad(): void {
  const nobody = 'ws://127.0.0.1:1/';
  const standing = new Set<WebSocket>();
  let blocked = false;
  window.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      const ours = String(url).includes('/stepwell/socket.io/');
      super(ours && blocked ? nobody : url, protocols);
      if (ours) standing.add(this);
    }
  };
  const blockRoad = (now: boolean): void => {
    blocked = now;
    if (now) for (const socket of standing) socket.close();
    standing.clear();
  };
  Object.assign(window, { blockRoad });
}
