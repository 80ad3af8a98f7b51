/** The interactive description of the API; everything it needs is in the package. */

import 'swagger-ui-dist/swagger-ui.css'

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'

import { at } from './lib/base.ts'

SwaggerUI({
  url: at('/schema/openapi.json'),
  domNode: document.getElementById('docs'),
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // the default one is on the internet
})
