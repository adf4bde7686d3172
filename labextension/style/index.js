import './base.css';
import './form.css';
import './result.css';
import './editor.css';
import './runs.css';
import './people.css';
import './agents.css';
import './msets.css';
