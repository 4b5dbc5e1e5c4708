# MAML Lab for a class: docker run -p 8501:8501 -v maml-lab-runs:/runs maml-lab
FROM python:3.13-slim
RUN useradd --create-home lab && mkdir /runs && chown lab /runs
WORKDIR /lab
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . ./
ENV MAML_LAB_RUNS=/runs
VOLUME /runs
USER lab
EXPOSE 8501
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.allowedHosts", "*"]
