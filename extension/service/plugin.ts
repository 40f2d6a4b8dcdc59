/** Provides the service. It connects once JupyterLab stands, so that nothing waits for it. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IService } from '../tokens';
import { Service } from './service';

export const servicePlugin: JupyterFrontEndPlugin<IService> = {
  id: 'stepwell:service',
  description: 'Talks to the service that runs pipelines.',
  autoStart: true,
  provides: IService,
  activate: (app: JupyterFrontEnd) => {
    const service = new Service(app.serviceManager.serverSettings);
    void app.started.then(() => service.connect());
    return service;
  },
};
