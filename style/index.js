/* Stepwell in JupyterLab. */
import '@xyflow/react/dist/base.css';
import './index.css';
