"""What TensorFlow Serving needs beside a model: configurations, warm-up requests, a client."""
